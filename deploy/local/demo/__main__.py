"""`python -m deploy.local.demo`: the same as `mannequin demo`, and what `make run` does."""

import typer

from deploy.local.commands import demo

if __name__ == "__main__":
    typer.run(demo)
