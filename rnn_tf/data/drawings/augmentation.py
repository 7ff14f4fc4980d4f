"""Change drawings at random, so that each still shows the same; in TensorFlow."""

ANGLE = 0.2  # radians, standard deviation
STRETCH = 0.15  # of the logarithm of each axis' scale, standard deviation
JITTER = 0.1  # of each point, in the unit the model sees, standard deviation
LOST_POINTS = 0.1  # share; the last point of a stroke is never lost
LOST_STROKES = 0.05  # share; one stroke always stays


def augment(drawings, seed, strength: float = 1.0):
    """Rotate, stretch and jitter drawings; drop points and strokes.

    Args:
        drawings: (batch, time, 5) float32, stroke-5, padded at the end.
        seed: (2,) int, for stateless random numbers: same seed, same changes.
        strength: of every change; 0 gives the drawings back.

    Returns:
        (batch, time, 5): what is left, moved to the front and padded again.
    """
    import tensorflow as tf

    seeds = tf.unstack(tf.random.split(seed, 5))
    place, lifted = tf.cumsum(drawings[..., :2], axis=1), drawings[..., 3]
    keep = _keep_mask(tf, drawings, seeds[:2], strength)
    front = tf.argsort(tf.cast(~keep, tf.int32), axis=1, stable=True)
    place = tf.gather(place, front, batch_dims=1)
    place = _move(tf, place, seeds[2:], strength)
    lifted = tf.gather(lifted, front, batch_dims=1)[..., None]
    keep = tf.gather(keep, front, batch_dims=1)[..., None]
    before = tf.pad(place, [[0, 0], [1, 0], [0, 0]])[:, :-1]
    changed = tf.concat([place - before, 1 - lifted, lifted, 0 * lifted], axis=-1)
    return tf.where(keep, changed, tf.constant([0.0, 0.0, 0.0, 0.0, 1.0]))


def _keep_mask(tf, drawings, seeds, strength: float):
    """Draw the points that stay, (batch, time) bool."""
    mask, lifted = drawings[..., 4] == 0, drawings[..., 3]
    shape = tf.shape(mask)
    stroke = tf.cast(tf.cumsum(lifted, axis=1, exclusive=True), tf.int32)
    draw = tf.random.stateless_uniform(shape, seeds[0])  # for each stroke
    draw = tf.gather(draw, tf.minimum(stroke, shape[1] - 1), batch_dims=1)
    lost = draw < strength * LOST_STROKES
    draw = tf.random.stateless_uniform(shape, seeds[1])  # for each point
    lost |= (draw < strength * LOST_POINTS) & (lifted == 0)
    keep = mask & ~lost
    return tf.where(tf.reduce_any(keep, axis=1, keepdims=True), keep, mask)


def _move(tf, place, seeds, strength: float):
    """Turn, stretch and jitter the points of each drawing, (batch, time, 2)."""
    count = tf.shape(place)[0]
    angle = strength * ANGLE * tf.random.stateless_normal([count], seeds[0])
    stretch = strength * STRETCH * tf.random.stateless_normal([count, 1, 2], seeds[1])
    cos, sin = tf.cos(angle), tf.sin(angle)
    turn = tf.stack([tf.stack([cos, sin], 1), tf.stack([-sin, cos], 1)], 1)
    noise = tf.random.stateless_normal(tf.shape(place), seeds[2])
    return place * tf.exp(stretch) @ turn + strength * JITTER * noise
