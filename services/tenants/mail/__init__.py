"""Letters to people: jobs in a table that hold ids alone, templates in two languages, and SMTP."""
