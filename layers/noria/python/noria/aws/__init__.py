"""One narrow facade per AWS service; knows neither the contract nor the core."""
