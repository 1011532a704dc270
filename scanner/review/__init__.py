"""The review page: a local web server where people decide what the machine was not sure of."""
