"""Who tells the news: an Event that cannot be written stops nothing."""

import logging

from serinus.controller.cache import key_of
from serinus.controller.events import Diary, News
from serinus.controller.kube import Kube
from serinus.controller.kube_errors import NotThere, WriteConflict, WriteFailed

logger = logging.getLogger(__name__)


class Herald:
    """Writes Events, and counts on them what happens again."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._diary = Diary()

    async def tell(self, news: News) -> None:
        """Tell it, in an Event of its own or on one that is there."""
        series = self._diary.series(news)
        try:
            if series.is_new(news.note):
                name = await self._kube.post_event(news)
                series.name, series.note, series.count, series.told_at = name, news.note, 1, None
                series.created += 1
                return
            series.count += 1
            if not series.is_told(news.time):
                namespace = news.owner["metadata"]["namespace"]
                await self._kube.count_event(namespace, series.name, series.count, news.time)
                series.told_at = news.time
        except NotThere:
            series.name = ""  # the API server keeps Events for an hour
        except (WriteFailed, WriteConflict) as error:
            logger.warning("%s/%s: an Event was refused: %s", *key_of(news.owner), error)
