import datetime
def solve(when, hours):
    return when.utcoffset().total_seconds(), when.tzname(), datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=hours)))
