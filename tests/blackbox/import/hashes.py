"""Prints address and password hash of every account in the store: nobody else may know them."""

import sqlite3
import sys

for address, password_hash in sqlite3.connect(sys.argv[1]).execute("SELECT address, password_hash FROM accounts"):
    print(f"{address}\t{password_hash}")
