"""One file or folder for each outside system; none knows another. Each turns its library's errors into `errors`."""
