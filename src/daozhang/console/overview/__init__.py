"""The overview: today in numbers, each of which leads to its rows, and money as it arrives."""
