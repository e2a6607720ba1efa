"""What a client's tools become where a provider knows them in another form, and the way back for its answers.

`functions` turns a conversation's tools into functions that the target knows, `restoring` gives calls their own
names and form again, `passing` does the same for requests and answers that pass in one format. Pure.
"""
