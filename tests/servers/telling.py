"""A child process that tells its environment in place of an answer."""

import json
import os
import sys

sys.stdout.write(json.dumps({"refused": " ".join(f"{name}={value}" for name, value in os.environ.items())}))
