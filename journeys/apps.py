from django.apps import AppConfig
from django.utils.translation import gettext_lazy, pgettext_lazy


class JourneysConfig(AppConfig):
    name = "journeys"
    verbose_name = pgettext_lazy("layer", "Decide")

    def ready(self) -> None:
        from channels import guards, origins, scopes
        from channels.models import Message
        from consent.privacy import restricting
        from customers import dead_letters, internal, jobs, merging
        from customers.privacy import stores
        from customers.retention import kinds
        from customers.segments import define
        from journeys import rules, steps, this_run, variable_leaf  # noqa: F401 - makes them known
        from journeys.causes import causes_of_runs
        from journeys.engine import advance, again, changeovers, ending, foreseen, match, merges, recheck
        from journeys.engine.calls import anew, answers
        from journeys.entry import calls, occurrences, previews
        from journeys.entry.names import CALLED
        from journeys.guard import guard, guard_all
        from journeys.privacy import STORES
        from journeys.retention import KINDS, needed_by_runs
        from journeys.segment_use import journeys_at
        from journeys.simulation import handed_in, job

        stores.register(*STORES)
        scopes.register("journeys.Journey")
        jobs.register(job.KIND, gettext_lazy("Simulation of a journey"), job.work, given_up=handed_in.forget)
        guards.register(Message.Origin.RUN.value, guard, guard_all)
        origins.register(Message.Origin.RUN.value, causes_of_runs)
        internal.reserve(CALLED)
        calls.register()
        previews.register()
        kinds.register(*KINDS)
        merging.register(foreseen.tell)
        restricting.on_restrict(ending.end_restricted)
        define.register_user(journeys_at)
        dead_letters.register(match.QUEUE, merges.QUEUE, recheck.QUEUE, changeovers.QUEUE)
        dead_letters.register_staying(advance.QUEUE.name, again.take_up)
        dead_letters.register_staying(answers.QUEUE, anew.call_again)
        dead_letters.register_staying(occurrences.QUEUE.name, occurrences.call_again)
        for key in ("events", "event_payloads"):
            kinds.hold(key, needed_by_runs)
