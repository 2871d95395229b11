"""Who answers NumPy and SciPy: functions, ufuncs."""
