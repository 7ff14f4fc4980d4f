"""Random changes of drawings that leave them what they are; TensorFlow, in batches."""

ANGLE = 0.2  # radians, standard deviation
STRETCH = 0.15  # of the logarithm of each axis' scale, standard deviation
JITTER = 0.1  # of each point, in the unit the model sees, standard deviation
LOST_POINTS = 0.1  # share; the last point of a stroke is never lost
LOST_STROKES = 0.05  # share; one stroke always stays


def augment(strokes, seed, strength: float = 1.0):
    """Rotate, stretch, jitter; lose points and strokes.

    Args:
        strokes: (batch, time, 5) float32, stroke-5, padded at the end.
        seed: (2,) int, for stateless random numbers: same seed, same changes.
        strength: of every change; 0 gives the strokes back.

    Returns:
        (batch, time, 5): what is left, moved to the front and padded again.
    """
    import tensorflow as tf

    seeds = tf.unstack(tf.random.split(seed, 5))
    place, lifted = tf.cumsum(strokes[..., :2], axis=1), strokes[..., 3]
    keep = _kept(tf, strokes, seeds[:2], strength)
    front = tf.argsort(tf.cast(~keep, tf.int32), axis=1, stable=True)
    place = tf.gather(place, front, batch_dims=1)
    place = _moved(tf, place, seeds[2:], strength)
    lifted = tf.gather(lifted, front, batch_dims=1)[..., None]
    keep = tf.gather(keep, front, batch_dims=1)[..., None]
    before = tf.pad(place, [[0, 0], [1, 0], [0, 0]])[:, :-1]
    made = tf.concat([place - before, 1 - lifted, lifted, 0 * lifted], axis=-1)
    return tf.where(keep, made, tf.constant([0.0, 0.0, 0.0, 0.0, 1.0]))


def _kept(tf, strokes, seeds, strength: float):
    """(batch, time) bool: the points that stay."""
    there, lifted = strokes[..., 4] == 0, strokes[..., 3]
    shape = tf.shape(there)
    stroke = tf.cast(tf.cumsum(lifted, axis=1, exclusive=True), tf.int32)
    luck = tf.random.stateless_uniform(shape, seeds[0])  # of each stroke
    luck = tf.gather(luck, tf.minimum(stroke, shape[1] - 1), batch_dims=1)
    lost = luck < strength * LOST_STROKES
    luck = tf.random.stateless_uniform(shape, seeds[1])  # of each point
    lost |= (luck < strength * LOST_POINTS) & (lifted == 0)
    keep = there & ~lost
    return tf.where(tf.reduce_any(keep, axis=1, keepdims=True), keep, there)


def _moved(tf, place, seeds, strength: float):
    """(batch, time, 2): turned, stretched and jittered."""
    count = tf.shape(place)[0]
    angle = strength * ANGLE * tf.random.stateless_normal([count], seeds[0])
    stretch = strength * STRETCH * tf.random.stateless_normal([count, 1, 2], seeds[1])
    cos, sin = tf.cos(angle), tf.sin(angle)
    turn = tf.stack([tf.stack([cos, sin], 1), tf.stack([-sin, cos], 1)], 1)
    noise = tf.random.stateless_normal(tf.shape(place), seeds[2])
    return place * tf.exp(stretch) @ turn + strength * JITTER * noise
