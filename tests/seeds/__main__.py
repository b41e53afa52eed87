"""`python -m tests.seeds`: each row with the tests that show it."""

from tests.seeds.rows import rows, shown

tests = shown()
for row in rows().values():
    print(f"{row.id}  {row.what}")
    for test in tests.get(row.id, ()):
        print(f"        {test}")
print(f"{len(tests)} of {len(rows())} rows are shown")
