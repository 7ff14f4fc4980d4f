"""Say what each picture and table of a run shows, for the page. No TensorFlow."""

# File name without ending -> what the picture shows, and how to read it.
PICTURES = {
    "forecasts": (
        "Line chart of the last six weeks of the test period: the truth in black and "
        "the forecasts of the models in colour, with the range over their seeds",
        "Forecasts against the truth, end to end. Bands: range over the seeds.",
    ),
    "error_by_day": (
        "Line chart of the test error of each model by days ahead, from one to the "
        "horizon: networks in colour, baselines in grey",
        "Test error by day ahead. The names stand in the order of their error.",
    ),
    "error_by_series": (
        "A row for each model, the best on top: its test error on each series over "
        "that of the best simple baseline, as a dot, and their geometric mean as a bar",
        "Test error on each series, in terms of its best simple baseline.",
    ),
    "error_by_fold": (
        "A row for each model, the best on top: its test error in each fold over "
        "that of the best baseline there, as a dot, and their geometric mean as a bar",
        "Test error in each fold, in terms of the fold's best baseline.",
    ),
    "next_days": (
        "Line chart of the last six weeks of the series in black, and after them the "
        "recommended forecast, with a bar for each day's 80 % and 95 % interval",
        "The days to come, by what is recommended: a bar's inner part holds the truth "
        "in 80 % of cases, the whole in 95 %, if all goes on as on validation.",
    ),
    "learning_curves": (
        "Two line charts by epoch, a line for each model: training loss above, "
        "validation score below",
        "Learning curves. Lines: mean over the seeds; bands: their range.",
    ),
    "error_by_depth": (
        "Line chart of the test error by number of recurrent layers, a line for each "
        "cell and head; baselines as flat grey lines",
        "Test error by depth. Bands: range over the seeds.",
    ),
    "error_by_length": (
        "Line chart of the test error by length of the sequence, a line for each cell; "
        "always answering 1 as a flat grey line",
        "Test error by length of the sequence. Bands: range over the seeds.",
    ),
    "gates": (
        "Stacked panels over the steps of one sequence of the adding problem: the "
        "inputs, then the gates and the cell state of an LSTM",
        "Inside the best LSTM: its gates and its state over the first test sequence.",
    ),
    "modes": (
        "A row for each network and baseline, task by task, on a logarithmic scale: "
        "its test error over that of the best constant guess, a dot for each seed; "
        "baselines in grey, the guess as a line across",
        "What small networks make of small tasks. A short line is the mean of the "
        "seeds; left is better.",
    ),
    "captions": (
        "Two rows of scenes of handwritten digits, each with the sentence that a "
        "network writes: four that are right, and below four that are not, with what "
        "is right",
        "Scenes and what the network says: from one vector, word by word, to a stop.",
    ),
    "tunes": (
        "A row of piano rolls for each way to make tunes, notes from left to right "
        "and high notes above: random notes, those of n-grams, and of networks",
        "Tunes that were played, the first of each way. Green: all rules are kept.",
    ),
    "gradient_norms": (
        "Line chart on a logarithmic scale: the norm of the gradient of the last state "
        "by an earlier one over their distance in time steps, a line for each cell; "
        "some fall to 1e-40, some stay at 1, one grows",
        "What is left of a gradient on its way back through time, before training. "
        "Bands: range over the seeds.",
    ),
    "singular_values": (
        "Two scatter charts of what a time step multiplies a gradient by: on the left "
        "against the largest singular value of the recurrent weights, where all dots "
        "lie on or below the diagonal; on the right against their spectral radius, "
        "where linear layers lie on it",
        "Why gradients vanish: a singular value below 1 is enough, one above 1 is not "
        "enough to explode (Pascanu, Mikolov and Bengio, 2013). A dot is a setting.",
    ),
    "truncation": (
        "Four line charts over the length of the chunks, a line for each cell: time "
        "for a whole sequence, time for an update, peak of memory, and cosine of the "
        "gradient to the whole one",
        "Truncated backpropagation through time. Bands: quartiles of the times, range "
        "over the seeds of the cosine.",
    ),
    "graphs": (
        "Three line charts on logarithmic scales over the steps of a sequence, a line "
        "for each kind of loop: nodes of the graph, seconds to the first update, and "
        "milliseconds of an update",
        "Static and dynamic loops. Medians of turns, in processes of their own.",
    ),
    "step_costs": (
        "Two line charts on logarithmic scales over the steps of a sequence: the time "
        "of a training step of an RNN, convolutions and an MLP; and the time in which "
        "the RNN reads one sequence, all at once or step by step",
        "What a recurrent network costs, beside others with as many parameters.",
    ),
    "waste": (
        "Two bar charts, a row for each way to make batches: the share of the steps "
        "that is padding, and the real steps that are trained on in a second",
        "Rows of several lengths in batches. Black: quartiles.",
    ),
    "padding_errors": (
        "A row for each cell, side of the padding and mask, a dot for each seed at its "
        "test error; a baseline as a dashed line",
        "Who recalls the first symbol of a padded sequence. Blue: with a mask.",
    ),
    "recall_by_distance": (
        "Two line charts over the words of filler, a line for each cell: the share of "
        "names that are recalled, with a guess as a dashed line, and below how much of "
        "the gradient reaches the name before training",
        "Names recalled, and the gradient that reached them. Bands: range over the "
        "seeds.",
    ),
    "remedies": (
        "A row for each remedy, a dot for each seed at its test error, a cross for one "
        "whose training diverged; a baseline as a dashed line",
        "What each remedy leaves. Each is one change to the network above it.",
    ),
    "orders": (
        "Line chart of test bits per character by the tokens of an n-gram; each "
        "network, and the entropy of the language if it is known, as a line across",
        "n-grams by their length, and networks across. Bands: range over the seeds.",
    ),
    "sizes": (
        "Line chart of test bits per character by the tokens to learn from, on a "
        "logarithmic scale: the best n-grams in grey, a GRU in blue",
        "How much text n-grams and a GRU take. Band: range over the seeds.",
    ),
    "surprise": (
        "A row for each model and a column for each token of a sentence of the test "
        "text; the darker, the more bits the token costs the model",
        "A sentence, and what each model did not expect.",
    ),
    "context": (
        "Line chart of bits per token by the tokens that stand before it, on a "
        "logarithmic scale, a line for each model; n-grams in grey",
        "What text before a token is worth. Bands: range over the seeds.",
    ),
    "embedding_map": (
        "The most frequent tokens, written where a network's vectors of them lie, in "
        "the colour of their group: part of speech, vowel, or letters but for case",
        "Vectors of tokens in a plane, by their two principal components.",
    ),
    "lengths": (
        "Line chart of the share of exact matches by the tokens of the source, in "
        "four quarters, a line for each network",
        "Exact matches by the length of the source. Bands: range over the seeds.",
    ),
    "beams": (
        "Two line charts by the number of beams: BLEU above, mean log-probability "
        "below, a line for each network and each way to choose of what was found",
        "What a wider beam finds, and what it is worth.",
    ),
    "alignment": (
        "Matrix with a row for each token of a translation and a column for each of "
        "its source; the darker, the more of the attention",
        "What the network attends to while it says each token of a translation.",
    ),
    "agreement": (
        "Line chart of the probability of the right class of a verb by the tokens from "
        "its subject, a line for each model; n-grams in grey, a guess dotted",
        "Does the verb agree? Bands: range over the seeds.",
    ),
    "confusion": (
        "Matrix of true classes against guessed classes on the test set, shares in "
        "percent; the diagonal holds what was right",
        "Confusion matrix of the test set, % of each true class.",
    ),
    "drawings": (
        "Two blocks of twelve drawings with the three best guesses above each: the "
        "first block was guessed right, the second wrong",
        "Drawings and what the network takes them for.",
    ),
    "drawn": (
        "Drawings by the network: a row for each class, and columns for each "
        "temperature, the lowest on the left",
        "What the chosen network draws of each class, by temperature.",
    ),
    "temperatures": (
        "Two line charts by temperature: above, the shares of the drawings that are "
        "recognised, end by themselves and are near copies; below, how far drawings "
        "are from each other and from the training drawings",
        "What temperature does to drawings. Bands: range over the seeds.",
    ),
    "bench-scaling": (
        "A row for each way to train a GRU, a bar as long as its examples per second: "
        "one device, two replicas, one worker, two workers",
        "Training on one and on two, of two cores. Lines: range over the rounds.",
    ),
    "clips": (
        "Up to twelve clips as strips of frames, each with the best guess: first some "
        "that are right, then some that are wrong",
        "Clips, frame by frame, and what the network takes them for.",
    ),
}

# Tables that some runs have besides; results/README.md explains every column.
TABLES = {
    "folds": "The error of each model in each fold, and its rank there",
    "series": "The error of each model on each series, and its rank there",
    "forecast": "The days to come, by what is recommended",
    "shapes": "Which layers return sequences: every combination, tried in Keras",
    "lengths": "The best recurrent model and the MLP on sequences of other lengths",
    "quiz": "The quiz's model, part by part: shapes and parameters",
    "modes": "Small tasks: the error of each network and baseline, seed by seed",
    "captions": "Scenes described in words, and names of new digits spelled",
    "summaries": "The first of each letter: from a vector, and from a sequence",
    "tunes": "Tunes from a key, and note by note: the rules that they keep",
    "as_given": "The course's program, run again with one repair more each time",
    "padding": "The same drawings, padded to other lengths: do the guesses change?",
    "cost": "What one step of training costs",
    "time_to_score": "How soon each training was as good as the textbook's ever became",
    "devices": "The weights that one device, two replicas and two workers end with",
    "facts": "The exact claims, case by case",
    "remedies": "Each remedy and seed: whether training diverged, and the error left",
    "recall_gradients": "The gradient at the name, before and after training",
    "equality": "Rows of a padded batch against each row alone",
    "graphs": "Static and dynamic loops: nodes, seconds to begin, an update",
    "memory": "What an update asks for, by the lengths of the rows",
    "batching": "Rows of several lengths, by the way they become batches",
    "step_costs": "A recurrent network's time by length, beside others as large",
    "ngrams": "How many n-grams there could be, there are, and how many test lacks",
    "reach": "How much a token so and so far back changes the next one's chances",
    "context": "What each model makes of more text before a token",
    "calibration": "How sure networks are of their likeliest token, and how right",
    "embeddings": "How often a token's nearest neighbour is of its group",
    "agreement": "How sure each model is of a verb's class, by its subject's distance",
    "surprise": "What each token of a sentence costs each model",
    "mixture": "A network and n-grams together",
    "outputs": "Embeddings, softmax and loss of each network",
    "speech": "What the models say, and how much of it is repeated",
    "fed": "What is said by networks that are fed with what they said, or with noise",
    "long_speech": "What each tenth of a long text costs n-grams",
    "loops": "Where the likeliest token goes in circles",
    "at_once": "Twenty tokens at once, against one after another",
    "little_models": "Losses, inputs, and too many parameters on little text",
    "weight_sharing": "Weights that all steps share, against a set for each",
    "hello": "The letters of a word that networks learn, seed by seed",
    "bank": "Two meanings of a word, told apart by its neighbours",
    "beams": "What wider beams find, and what normalisation by length does",
    "stopping": "Decoding that stops when all have ended, and decoding that does not",
    "held_out": "Dates in ways that training has not",
    "drawn": "Drawings by networks: recognised, ended, varied, near copies",
    "tones": "Recordings of tones: one answer for each, or a sequence of words",
    "waiting": "Whether training waits for its clips",
    "gradient_decay": "What a time step does to a gradient, in each setting",
    "gradient_facts": "Facts of gradients and cells, one computation each",
    "state_memory": "How much of past inputs a linear readout finds in a state",
    "learning_rates": "Gradients after training at each learning rate",
    "truncated_cost": "Time and memory of training in chunks",
    "truncated_gradients": "Gradients that end at chunks, against the whole one",
    "truncated_recall": "What is recalled after training in chunks",
    "truncated_training": "Gradients of large weights, cut off and whole",
}
# Tables that are too long to read; the page has their pictures.
DRAWN = frozenset({"gradient_flow", "embedding_map"})
