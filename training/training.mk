TRAINING_VENV := .mannequin/training-venv
MINUTES ?= 30

model: install ## Train the built-in model and export it (MINUTES=30; goes on where it was stopped)
	@test -x $(TRAINING_VENV)/bin/python || $(PYTHON) -m venv $(TRAINING_VENV)
	@$(TRAINING_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r training/requirements.txt
	@PYTHONPATH=. $(TRAINING_VENV)/bin/python -m training.train --minutes $(MINUTES)

eval-model: install ## Score the built-in model (PHOTOS=folder with masks, besides synthetic photos)
	@$(BIN)/python -m training.evaluate $(if $(PHOTOS),--photos "$(PHOTOS)")

.PHONY: model eval-model
