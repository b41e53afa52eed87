"""What somebody thinks of a response, a judge or a user, recorded at the response's own span, now or later.

Nothing of this stands on the path of a call, and none of it is loaded before a program calls one of the functions.
"""
