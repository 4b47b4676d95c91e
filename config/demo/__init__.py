"""A company to try things out on: Ipê & Wattle, coffee from Brazil, in Brazil and in Australia."""
