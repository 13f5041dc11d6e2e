"""The index of waveforms: which there are, and where in the files each lies."""

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from athanor.kernel.database.base import Base

_Id = BigInteger().with_variant(Integer, "sqlite")  # a thousand machines fill 32 bits in three years


class ChannelRow(Base):
    """A channel of an asset; stays when its waveforms have gone."""

    __tablename__ = "waveforms_channels"
    __table_args__ = (UniqueConstraint("asset", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    asset: Mapped[str]  # no foreign key: an asset may leave the plant, and its waveforms stay
    name: Mapped[str] = mapped_column(String(64))


class BlobRow(Base):
    """A file with waveforms in it."""

    __tablename__ = "waveforms_blobs"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  # an id is never given twice

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class WaveformRow(Base):
    """A waveform."""

    __tablename__ = "waveforms_index"
    __table_args__ = (
        UniqueConstraint("channel", "start_us"),
        Index(None, "start_us"),  # retention goes by it
        Index(None, "blob"),
        {"sqlite_autoincrement": True},  # an id is never given twice
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    channel: Mapped[int] = mapped_column(ForeignKey("waveforms_channels.id"))
    start_us: Mapped[int] = mapped_column(BigInteger)  # since 1970 UTC
    rate_hz: Mapped[float]
    points: Mapped[int]
    dtype: Mapped[str] = mapped_column(String(8))
    quantity: Mapped[str] = mapped_column(String(40))
    unit: Mapped[str] = mapped_column(String(60))
    scale: Mapped[float]
    offset: Mapped[float]
    quality: Mapped[int]
    trigger: Mapped[str] = mapped_column(String(16))
    blob: Mapped[int] = mapped_column(ForeignKey("waveforms_blobs.id"))
    place: Mapped[int]  # of its first byte in the file
    size: Mapped[int]  # bytes
