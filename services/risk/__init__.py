"""What a book may lose: value at risk, stress tests, exposure and ladders by full revaluation."""
