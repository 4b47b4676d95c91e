"""How long everything is kept, what is taken away when its time is over, and what may never be.

Each kind of data registers here with a duration; a rule of the installation or of a brand may say another. What a
run took is recorded. Events and their payloads go by the month, whose partition is dropped whole; the triggers that
keep facts from being deleted row by row stay as they are.
"""
