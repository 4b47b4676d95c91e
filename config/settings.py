"""All settings, each read from the environment: safe for development, loud in production."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from psycopg import IsolationLevel

from config import embedded, environ
from config.unfold import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where we run ---------------------------------------------------------------------------------

TRILHA_ENV = environ.text("TRILHA_ENV", "development")
PRODUCTION = TRILHA_ENV == "production"
DEBUG = environ.flag("DEBUG")
# Set by `make demo`: the staff pages then say so.
TRILHA_DEMO = environ.flag("TRILHA_DEMO")

_DEVELOPMENT_SECRET = "trilha-development-only-" + "0" * 40
_DEVELOPMENT_ERASURE_KEY = "dHJpbGhhLWVyYXN1cmUtZGV2ZWxvcG1lbnQtMzJieXQ="
_DEVELOPMENT_KEYS = "development:" + "dHJpbGhhLWRldmVsb3BtZW50LWtleS0zMi1ieXRlcyE="

SECRET_KEY = environ.text("SECRET_KEY", _DEVELOPMENT_SECRET)
SECRET_KEY_FALLBACKS = environ.items("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = environ.items("ALLOWED_HOSTS", "" if PRODUCTION else "localhost,127.0.0.1,[::1]")

# The address under which customers and partners reach us; links in messages start with it.
_DEVELOPMENT_URL = "http://127.0.0.1:8000"
TRILHA_PUBLIC_URL = environ.text("TRILHA_PUBLIC_URL", "" if PRODUCTION else _DEVELOPMENT_URL).rstrip("/")

# A host for images alone, without a log-in to lose; messages show them from there. Empty: TRILHA_PUBLIC_URL.
TRILHA_ASSETS_URL = environ.text("TRILHA_ASSETS_URL").rstrip("/")
ALLOWED_HOSTS += [urlsplit(TRILHA_ASSETS_URL).hostname or ""] if TRILHA_ASSETS_URL and ALLOWED_HOSTS else []

# --- What the product is made of ------------------------------------------------------------------

INSTALLED_APPS = [
    # The look of the staff pages; before the admin, whose templates it replaces.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.guardian",
    "config.admin_app.StaffPagesConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "django_celery_beat",
    "customers",
    "consent",
    "channels",
    "journeys",
    "analytics",
    "config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.headers.SecurityHeaders",
    "config.headers.WithoutNul",
    "config.headers.AssetsHost",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "customers.views.middleware.StaffSessions",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Where a log-in leads that came from nowhere.
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# An address typed without a scheme is https, as Django 6 will have it.
FORMS_URLFIELD_ASSUME_HTTPS = True

# A journey of 500 steps is one form, so is an import of 500 columns; Django's usual limit is 1,000 fields.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

# Served by the web process itself, straight from the apps: nothing to collect before a start.
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# Where the image library keeps its files: in the database, or in another of Django's storages, such as
# storages.backends.s3.S3Storage with {"bucket_name": …}.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "images": {
        "BACKEND": environ.text("TRILHA_IMAGES_STORAGE", "channels.images.storage.DatabaseStorage"),
        "OPTIONS": environ.document("TRILHA_IMAGES_STORAGE_OPTIONS"),
    },
}

# --- PostgreSQL: the truth ------------------------------------------------------------------------

DATABASE_URL = environ.text("DATABASE_URL")

_STATEMENT_SECONDS = environ.number("STATEMENT_TIMEOUT_SECONDS", 60)
_IDLE_SECONDS = environ.number("IDLE_IN_TRANSACTION_SECONDS", 30)


def _database(url: str) -> dict[str, Any]:
    connection = environ.database(url)
    # A stuck statement or a forgotten transaction would hold back every queue that is vacuumed.
    limits = (
        f"-c statement_timeout={int(_STATEMENT_SECONDS * 1000)}"
        f" -c idle_in_transaction_session_timeout={int(_IDLE_SECONDS * 1000)}"
        # Batches are look-ups by key on tables that outgrow their statistics: no compiling of plans, and no reading
        # of whole tables because a disk of 1996 seeks slowly.
        " -c jit=off -c random_page_cost=1.1"
    )
    connection["OPTIONS"] = {
        "application_name": "trilha",
        # A server that does not answer must not hold up whoever could be told so.
        "connect_timeout": 5,
        "isolation_level": IsolationLevel.READ_COMMITTED,
        "server_side_binding": False,
        **connection["OPTIONS"],
        "options": f"{limits} {connection['OPTIONS'].get('options', '')}".strip(),
    }
    connection["CONN_MAX_AGE"] = int(environ.number("CONN_MAX_AGE", 300))
    connection["CONN_HEALTH_CHECKS"] = True
    return connection


# Without DATABASE_URL this is where the embedded server listens once something has started it.
DATABASES = {"default": _database(DATABASE_URL or embedded.addresses()["DATABASE_URL"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- People and permissions -----------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None  # guardian must not invent a user that a forgotten check would let in

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Everybody on the staff takes a second step at log-in; without this, those who have set it up.
TRILHA_REQUIRE_2FA = environ.flag("TRILHA_REQUIRE_2FA", default=PRODUCTION)
# A session ends when it was left alone for so long, and after so many hours in any case.
SESSION_IDLE_MINUTES = environ.number("SESSION_IDLE_MINUTES", 60)
SESSION_HOURS = environ.number("SESSION_HOURS", 12)
SESSION_COOKIE_AGE = int(SESSION_HOURS * 3600)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
if PRODUCTION:
    # Browsers take cookies of such names from this very host only, over TLS only.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if environ.flag("BEHIND_TLS_PROXY", default=PRODUCTION) else None
)
CSRF_TRUSTED_ORIGINS = [TRILHA_PUBLIC_URL] if TRILHA_PUBLIC_URL else []
X_FRAME_OPTIONS = "DENY"

# --- HTTP API -------------------------------------------------------------------------------------

# Every endpoint is a partner's, see customers.api.base; what is said here is for one that forgot to say.
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["customers.api.partner.PartnerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "customers.api.schema.PartnerSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    # Unset, a caller could choose the address it is counted under.
    "NUM_PROXIES": int(environ.number("NUM_PROXIES", 0)),
}

SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "Trilha",
    "DESCRIPTION": "The partner API: events, customers, consent, journeys, runs and messages.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # A choice's words are for people at the admin; the codes are the API's.
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [],
}

# --- Languages and time ---------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("pt-br", _("Brazilian Portuguese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Celery: the doorbell -------------------------------------------------------------------------

BROKER_URL = environ.text("BROKER_URL")

CELERY_BROKER_URL = BROKER_URL or embedded.addresses()["BROKER_URL"]
_BROKER_IS_AMQP = CELERY_BROKER_URL.startswith(("amqp", "pyamqp"))
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"confirm_publish": True, "connect_timeout": 2, "write_timeout": 5}
    if _BROKER_IS_AMQP
    # Longer than twice the time limit, so that Redis never hands out a task that still runs.
    else {"visibility_timeout": 900, "socket_connect_timeout": 2, "socket_timeout": 5}
)
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
# A lost bell is caught up by the sweep; waiting for the broker would hold up the ringer.
CELERY_TASK_PUBLISH_RETRY = False
# A task that is not named here lands where it delays nobody.
CELERY_TASK_DEFAULT_QUEUE = "slow"
CELERY_TASK_ROUTES = {
    "journeys.drain": {"queue": "engine"},
    "channels.dispatch_due": {"queue": "dispatch"},
    "channels.sweep": {"queue": "dispatch"},
    "channels.run_broadcasts": {"queue": "dispatch"},
    "journeys.call_due": {"queue": "calls"},
    "channels.deliver_webhooks": {"queue": "calls"},
    "channels.send_tests": {"queue": "calls"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 512_000  # kB
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
# There are no results, so none to clean up every night.
CELERY_RESULT_EXPIRES = None
CELERY_TIMEZONE = "UTC"
DJANGO_CELERY_BEAT_TZ_AWARE = True

# --- Mail of the installation itself, to its own people; what customers get goes by connectors -----------------------

TRILHA_MAIL_FROM = environ.text("TRILHA_MAIL_FROM")
_MAIL = environ.mail(environ.text("TRILHA_MAIL_URL", "smtp://localhost:25?tls=no"))
EMAIL_HOST, EMAIL_PORT = _MAIL["host"], _MAIL["port"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL["user"], _MAIL["password"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL["starttls"], _MAIL["ssl"]
EMAIL_TIMEOUT = 10

# --- Our own --------------------------------------------------------------------------------------

LEASE_SECONDS = environ.number("LEASE_SECONDS", 60)
SWEEP_SECONDS = environ.number("SWEEP_SECONDS", 15)
# A worker in which a batch takes longer than this, the database not being waited for, is ended.
WORK_SECONDS = environ.number("WORK_SECONDS", 60)
PROVIDER_DEADLINE_SECONDS = environ.number("PROVIDER_DEADLINE_SECONDS", 10)
# Hosts, or host:port, that journeys' calls and webhooks may reach though their address is private or they speak no TLS.
TRILHA_CALL_HOSTS = environ.items("TRILHA_CALL_HOSTS")
# How long an outgoing webhook may take; the pauses between its tries, over three days in all; and after how many hours
# of nothing but failure its endpoint is switched off.
WEBHOOK_DEADLINE_SECONDS = environ.number("WEBHOOK_DEADLINE_SECONDS", 15)
WEBHOOK_WAITS = [float(one) for one in environ.items("WEBHOOK_WAITS", "5,300,1800,7200,18000,36000,50400,72000,86400")]
WEBHOOK_FAILING_HOURS = environ.number("WEBHOOK_FAILING_HOURS", 120)
# One address gets one copy of a journey step or broadcast within so many hours.
TRILHA_COPY_WINDOW_HOURS = environ.number("TRILHA_COPY_WINDOW_HOURS", 24)
# How long the link in a mail that confirms a consent is good for.
TRILHA_CONFIRMATION_HOURS = environ.number("TRILHA_CONFIRMATION_HOURS", 72)
# Mails that ask for a consent, to one address in 24 hours: nobody signs up for more, and anybody can have one sent.
TRILHA_CONFIRMATIONS_A_DAY = int(environ.number("TRILHA_CONFIRMATIONS_A_DAY", 10))
# So many days before a consent expires journeys can hear of it, and ask again.
TRILHA_EXPIRING_DAYS = environ.number("TRILHA_EXPIRING_DAYS", 14)
# The largest file that may be handed in for import, how many days it is kept unless it was imported before.
IMPORT_MAX_BYTES = environ.number("IMPORT_MAX_BYTES", 2 * 1024**3)
IMPORT_KEEP_DAYS = environ.number("IMPORT_KEEP_DAYS", 7)
# An import rests while so much waits in the inbox: what comes in meanwhile must not stand in line behind a file.
IMPORT_INBOX_LIMIT = environ.number("IMPORT_INBOX_LIMIT", 20_000)
# Write keys of the other mode are refused: an installation for trying things out takes test keys only.
WRITE_KEY_MODE = environ.text("TRILHA_WRITE_KEY_MODE", "live")
# More than so many messages waiting to be resolved are refused at the doors; 0: any number may wait.
INBOX_LIMIT = int(environ.number("INBOX_LIMIT", 1_000_000))
# Threads of a web process: as many calls are worked on at once, each with a connection to the database.
WEB_THREADS = int(environ.number("WEB_THREADS", 4))
# How long a caller may take to send a body; a long one has more.
BODY_SECONDS = environ.number("BODY_SECONDS", 15)
# By what erased identifiers are remembered. Never changed: what is remembered could not be told again by another.
ERASURE_KEY = environ.key("ERASURE_KEY", "" if PRODUCTION else _DEVELOPMENT_ERASURE_KEY)
# Where their list is kept besides: read again after a restore, so never where a backup puts back old files.
ERASURE_LIST = environ.text(
    "ERASURE_LIST", "" if PRODUCTION else str(embedded.local() / "erasures" / f"{DATABASES['default']['NAME']}.jsonl")
)
# All stores are gone through again after so long: longer than a call to a provider, and than whoever answers ours.
ERASURE_SETTLE_SECONDS = environ.number("ERASURE_SETTLE_SECONDS", 60)
# How many days a file of what is held of somebody can be fetched.
PRIVACY_ARCHIVE_DAYS = environ.number("PRIVACY_ARCHIVE_DAYS", 14)
# Where the ledgers are anchored once an hour: a folder that whoever writes to the database does not reach, the same
# for all workers, and backed up apart from it.
TRILHA_ANCHOR_DIR = environ.text(
    "TRILHA_ANCHOR_DIR", "" if PRODUCTION else str(embedded.local() / "anchors" / DATABASES["default"]["NAME"])
)
# Numbers that nobody can have, taken as phones where things are tried out.
TEST_PHONE_PREFIXES = environ.items("TRILHA_TEST_PHONE_PREFIXES", "" if PRODUCTION else "+5520,+61555")
# Seals the credentials of connectors: {key id: 32 bytes}, the first one seals, all of them open.
CREDENTIAL_KEYS = environ.key_ring("CREDENTIAL_KEYS", "" if PRODUCTION else _DEVELOPMENT_KEYS)

# --- Logs: one JSON object a line, no personal data -----------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": environ.text("LOG_LEVEL", "INFO")},
    # Django's own handlers would mail or print the same lines again.
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
    },
}

# --- Refuse to start unsafe -----------------------------------------------------------------------

if TRILHA_ENV not in {"development", "production"}:
    raise ImproperlyConfigured("TRILHA_ENV must be development or production")

if PRODUCTION:
    _faults = [
        fault
        for broken, fault in [
            (DEBUG, "DEBUG must be off"),
            (SECRET_KEY == _DEVELOPMENT_SECRET or len(SECRET_KEY) < 50, "SECRET_KEY needs 50 own characters"),
            (not ALLOWED_HOSTS, "ALLOWED_HOSTS is missing"),
            (any("*" in host for host in ALLOWED_HOSTS), "ALLOWED_HOSTS must not hold a wildcard"),
            (not TRILHA_PUBLIC_URL.startswith("https://"), "TRILHA_PUBLIC_URL must start with https://"),
            (
                bool(TRILHA_ASSETS_URL) and not TRILHA_ASSETS_URL.startswith("https://"),
                "TRILHA_ASSETS_URL must start with https://",
            ),
            (not DATABASE_URL, "DATABASE_URL is missing"),
            (not BROKER_URL, "BROKER_URL is missing"),
            (not CREDENTIAL_KEYS, "CREDENTIAL_KEYS is missing"),
            (not ERASURE_KEY, "ERASURE_KEY is missing"),
            (not TRILHA_ANCHOR_DIR, "TRILHA_ANCHOR_DIR is missing"),
            (
                environ.text("ERASURE_KEY") == _DEVELOPMENT_ERASURE_KEY,
                "ERASURE_KEY must not be the development key",
            ),
            (
                _DEVELOPMENT_KEYS.partition(":")[2] in environ.text("CREDENTIAL_KEYS"),
                "CREDENTIAL_KEYS must not hold the development key",
            ),
        ]
        if broken
    ]
    if _faults:
        raise ImproperlyConfigured("Not safe for production: " + "; ".join(_faults))
