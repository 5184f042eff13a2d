"""What the clients of AWS, Postgres and Redis raise when a server fails or refuses a call."""

from botocore.exceptions import BotoCoreError, ClientError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

CLIENT_ERRORS = (BotoCoreError, ClientError, OSError, RedisError, SQLAlchemyError)
