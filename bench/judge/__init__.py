"""`make bench-judge`: whether the judge keeps what its statistics promise, beside the rules that people use today."""
