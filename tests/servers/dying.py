"""A child process that dies as a crashed decoder would."""

import os
import signal

os.kill(os.getpid(), signal.SIGSEGV)
