TRAINING_VENV := .mannequin/training-venv
MINUTES ?= 120
WORKERS ?= 1
# The public originals are named in training/README.md; a folder that is not there is left out.
STREET ?= $(wildcard ../shared/data/street)
GARMENTS ?= $(wildcard ../shared/data/garments)

model: install ## Train the built-in model and export it (MINUTES=120, DATA=clean leaves street photos out; resumes)
	@test -x $(TRAINING_VENV)/bin/python || $(PYTHON) -m venv $(TRAINING_VENV)
	@$(TRAINING_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r training/requirements.txt
	@PYTHONPATH=. OMP_NUM_THREADS=1 $(TRAINING_VENV)/bin/python -m training.train --minutes $(MINUTES) --workers $(WORKERS) \
	  $(if $(filter clean,$(DATA)),,$(if $(STREET),--street "$(STREET)")) $(if $(GARMENTS),--garments "$(GARMENTS)") \
	  $(if $(FRESH),--fresh)

eval: install ## Score model and results (PHOTOS=folder with masks, STREET=folder, SYNTHETIC=100, ARGS=--help)
	@$(BIN)/python -m training.evaluate $(if $(PHOTOS),--photos "$(PHOTOS)") $(if $(STREET),--street "$(STREET)") \
	  $(if $(SYNTHETIC),--synthetic "$(SYNTHETIC)") $(ARGS)

gallery: install ## Show what the engine makes of photos: a page and a contact sheet (PHOTOS=folder, OUT=out/gallery)
	@test -n "$(PHOTOS)" || { echo "Which photos? make gallery PHOTOS=folder" >&2; exit 2; }
	@$(BIN)/mannequin engine gallery "$(PHOTOS)" -o "$(or $(OUT),out/gallery)" $(ARGS)

.PHONY: model eval gallery
