"""What each exercise exercises: code that would give it away if it stood above its check.

DECISIONS  exercise -> [(regular expression over code, what it would give away)]. Each finds itself
           in a right answer to the exercise: its solution, the fast one, or one of
           right_answers.py; the solution and the fast answer are both found. It is the decision
           that is looked for, and not every line: loops, shapes and the windows' sizes are
           common to a worked example on another layer and to the exercise.
FINISHED   exercise -> functions of the package whose source is the exercise, finished: nothing
           above the check shows it. Calling them to compare is another matter.
"""

NAME = r"[a-z_]\w*"
PAIR = r"\[\w+, \w+\]"  # of one cell of a matrix
CELL = r"\[[^\],]+(?:, [^\],]+){3}\]"  # of one cell of images or of a filter bank
ROW = r"\w+ \* \w*\.?stride\[0\] \+ [^\n]*- \w*\.?padding\[0\]"

DECISIONS = {
    "double": [
        (r"\b2 \* x\b", "the factor"),
        (r"\bx \+ x\b", "the factor, as a sum"),
        (r"\by \*= 2", "the factor, in place"),
    ],
    "graph_gradients": [
        (r"\bdp \* w \+ dz\b", "both ways of the fork, added"),
        (r"\(w \+ 1\)|\[w \+ 1\b", "the slope of both ways together"),
        (r"\bdw = dp \* x\b", "the other factor"),
    ],
    "graph_backward": [
        (r"\+= gradients\[\w+\] \* slope", "what an operand gets from a step, and the sum"),
        (r"\+= slope \* \w+\[\w+\]", "the same, the factors exchanged"),
        (r"\bin reversed\((self\.)?steps\)|\bin steps\[::-1\]", "the order of the steps"),
        (r"\bin (self\.)?slopes[\[(]", "the messages of a step"),
    ],
    "numeric_gradient": [
        (r"\(above - below\) / \(?2 \* step", "the central difference"),
        (r"\bf\(x \+ \w+\) - f\(x - \w+\)", "both sides of x"),
        (r"\(f\(above\) - f\(below\)\) /", "the difference of f on both sides"),
        (r"\babove\[\w+\] \+= step", "one entry moved up, and below one moved down"),
        (r"\bx\[index\] = kept \+ step", "one entry moved up, and put back"),
    ],
    "linear_gradients": [
        (r"\bw\.T @ dz\b", "dx: the product and its transpose"),
        (r"\bdz @ x\.T", "dw: the product and its transpose"),
        (rf"\+= dz{PAIR} \* w{PAIR}", "dx, product by product"),
        (rf"\+= dz{PAIR} \* x{PAIR}", "dw, product by product"),
        (r"np\.outer\(dz\[:, \w+\], x\[:, \w+\]\)", "dw, sample by sample"),
        (r'einsum\("mn,(md->dn|dn->md)"', "either, as an einsum"),
    ],
    "linear_gradients_batch_in_rows": [
        (r"\bdz @ w\.T", "dx: the product and its transpose"),
        (r"\bx\.T @ dz\b", "dw: the product and its transpose"),
        (r"\bdz\.sum\(axis=0", "db: the axis of the samples"),
        (r"\+= dz\[n, m\] \* (w\[d, m\]|x\[n, d\])", "either, product by product"),
        (r"linear_backward\(dz\.T, x\.T, w\.T\)", "the other layout, transposed"),
        (r'einsum\("(nm,dm->nd|nd,nm->dm)"', "either, as an einsum"),
    ],
    "flatten_gradient": [
        (r"\.T\.reshape\(", "transpose first, then reshape"),
        (r"np\.moveaxis\(\w+\.reshape\(", "reshape, then move the batch in front"),
        (r"\(c \* H \+ h\) \* W \+ v", "the row of a pixel"),
    ],
    "relu_gradient": [
        (r"\bx(\[\w+\])? > 0\b", "x opens the gate, not dz; 0 is shut"),
        (r"\[x <= 0\] = 0", "the same, where it is shut"),
        (r"np\.where\(x > 0, dz", "the whole function"),
    ],
    "sigmoid_gradient": [
        (r"\b(\w+) \* \(1 - \1\)", "the slope from the output"),
        (r"\bsigmoid\(x\) \* (cnnbp\.)?sigmoid\(-x\)", "the slope from x"),
        (r"np\.exp\(-x\) / \(1 \+ np\.exp\(-x\)\) \*\* 2", "the slope by the quotient rule"),
    ],
    "tanh_gradient": [
        (r"\b1 - (\w+) \* \1\b", "the slope from the output"),
        (r"\b1 - np\.tanh\(x\) ?\*\* ?2", "the slope from x"),
        (r"/ np\.cosh\(x\) ?\*\* ?2", "the slope by the quotient rule"),
    ],
    "softmax_cross_entropy_gradient": [
        (r"\(p - \(\w+ == labels\[\w+\]\)\)", "the probabilities less the label's 1"),
        (r"\bp - np\.eye\(", "the same, with one-hot columns"),
        (r"\[(labels, np\.arange\(\w+\(?\w*\)*|here)\] -= 1", "the same, in place"),
        (r"\bdz / N\b", "the mean over the batch"),
    ],
    "conv2d_output": [
        (ROW, "where a window begins, with its padding"),
        (rf"\+= x{CELL} \* w{CELL}", "the products, summed over channels and kernel"),
        (r'einsum\("ncijab,fcab->nfij"', "the products, as an einsum"),
        (r"w\.reshape\(len\(w\), -1\) @", "the filters as rows of a matrix"),
        (r"_by_group\(w, groups\) @ _by_group\(columns", "the same, for groups"),
    ],
    "conv2d_weight_gradient": [
        (rf"\+= dz{CELL} \* x{CELL}", "the products"),
        (r'einsum\("nfij,ncijab->fcab"', "the products, as an einsum"),
        (r"\brows @ view\.reshape", "dz as rows of a matrix"),
        (r"\bx_columns @ dz_rows", "the package's product"),
    ],
    "conv2d_bias_gradient": [
        (r"sum\(axis=\(0, 2, 3\)", "the axes"),
        (rf"\bdb\[f(, 0, 0)?\] \+= dz{CELL}", "samples and positions, one after the other"),
        (r"\brows @ np\.ones\(", "filters as rows, and their sums"),
        (r"\bdz_rows\.sum\(axis=2\)", "the same, for groups"),
    ],
    "conv2d_input_gradient": [
        (rf"\+= dz{CELL} \* w{CELL}", "the products, where they are added"),
        (r'einsum\("nfij,fc->ncij", dz', "the products, as an einsum"),
        (r"w\[:, :, ::-1, ::-1\]", "the rotated kernel over the spread dz"),
        (r"_col2im\(dx_columns", "the package's scatter"),
    ],
    "gradient_terms": [
        (r"\(\(n, f, i, j\), \((f, c, kh, kw|n, c, row, column)\)\)", "the pairs"),
        (r"\.left_index, \w+\.right_index\)", "the pairs, from explain"),
        (r"\(f, c, p - top, q - left\)|\(n, c, top \+ p, left \+ q\)", "the pairs, solved for"),
        (r"\(f, index\[1\], a, b\)|\(n, index\[1\], h, v\)", "the pairs, from a view"),
    ],
    "conv2d_circular_gradient": [
        (r"\(\w+ \+ kh\) % |\bh % H\b", "the pixel on the other side"),
        (r"np\.roll\(", "the image rolled under the kernel"),
        (r'mode="wrap"', "the image, continued"),
        (r"np\.fft\.", "a product of waves"),
        (r"\+= dx\[:, :, H:\]", "what hangs over, added at the front"),
    ],
    "tied_kernel_gradient": [
        (rf"\bdw{CELL} \+= (?:dy{CELL} \* x|dz{CELL} \* y){CELL}", "both uses in one dw"),
        (r"\bsecond \+ [\w.]+\(dy, x, w", "both uses, added"),
        (r"\(dz, y\), \(dy, x\)", "what each use was given"),
        (r"\bsum\(uses\(", "both uses, added"),
    ],
    "max_pool2d_output": [
        (rf"\bx{CELL} > z{CELL}", "the first largest wins"),
        (r"\brow \* W \+ column\b", "the winner's number in the image"),
        (r"view\.argmax\(axis=-1\)", "the winner's number in its window"),
        (r"\bh \* x\.shape\[3\] \+ v\b", "the winner's number in the image"),
        (r"np\.maximum\(\w+, x\[:, \*pixels\]", "the package's maximum"),
    ],
    "max_pool2d_gradient": [
        (r"\bdx\[winner\] \+= dz", "the winner, and that it is added"),
        (rf"\bx{CELL} > largest\b", "the first largest wins"),
        (r"\+= dz \* wins\b", "the winners as a mask, added"),
        (r"np\.bincount\(argmax", "the winners' numbers, counted"),
        (r"np\.add\.at\(dx, cells", "the package's scatter"),
        (rf"\bdx\[n, c, row, column\] \+= dz{CELL}(?! [*/])", "the package's loops"),
    ],
    "avg_pool2d_gradient": [
        (r"\+= share\b", "each pixel's share, added"),
        (r"1 / \(kernel_size\[0\] \* kernel_size\[1\]\)", "the share"),
        (r"/ np\.prod\(kernel_size\)|/ math\.prod\(place\.kernel\)", "the share"),
        (r"sides\[0\] @ dz @ sides\[1\]\.T", "sums of rows and columns"),
    ],
    "mean_of_top_two_gradient": [
        (rf"\+= dz(\[cell\]|{CELL}) / 2\b", "half for each of the two, added"),
        (r"sorted\(\w+\)\[-2:\]|argsort\(axis=-1\)\[\.\.\., -2:\]", "the two largest"),
        (r">= second\) \* dz / 2", "the two largest as a mask"),
    ],
    "cells_behind": [
        (r"- \(i \* pool_stride\[0\] \+ a\) \* stride\[0\]", "the kernel row that met the pixel"),
        (r"\bused & set\(range\(", "windows that hold a cell that used the pixel"),
        (r"np\.multiply\(window, pool_stride\) \+ step", "where a window's cell begins"),
        (r"np\.argwhere\(pooled\)", "what one bright pixel reaches"),
        (r"\bbetween_cells\(", "the cells between"),
    ],
    "network_backward": [
        (r"max_pool2d\([^)]*stride=3\)|max_pool2d\(z_conv, 2", "what the pooling keeps: argmax"),
        (r"= (cnnbp\.)?max_pool2d_backward\(|= pool\(unflatten\(", "dz of the convolution"),
        (r"= (cnnbp\.)?conv2d_backward\([^)]*stride=2\)", "the last call"),
        (r"\(w_linear\.T @ dz\)\.T\.reshape\(", "back through the flattening"),
        (r"\bdpooled\[cell\] \* w_conv\[f\]", "the winners' windows alone"),
        (r"\bnetwork\.grads\[name\] for name in \(", "the whole pass, by the package"),
    ],
    "momentum_step": [
        (r"momentum \* velocity(\[\w+\])? \+ dw", "the new velocity"),
        (r"w(\[\w+\])? - learning_rate \* ", "the step, downhill"),
    ],
    "locate_bug": [
        (r"layer\.backward\(dz\)", "every layer by itself, with a dz of its own"),
        (r"dz \* layer\.forward\(x, training=True\)", "the loss of one layer"),
        (r"\bin enumerate\((zip\()?\(?network\.layers|\bin enumerate\(network\.layers", "the hunt"),
        (r"\.bug\.wanted", "what was planted, read from the layer"),
    ],
    "im2col": [
        (r"\(c \* KH \+ kh\) \* KW \+ kw\b", "the row of a kernel cell"),
        (r"\(i \* OW \+ j\) \* N \+ n\b", "the column of a window"),
        (ROW, "the pixel under a kernel cell, with its padding"),
        (r"\bcolumns\[:, \*tap, \*outputs\] = x\b", "the package's copies"),
        (r"\.transpose\(1, 4, 5, 2, 3, 0\)", "a view with its axes in order"),
        (r"\.transpose\(1, 2, 3, 0\)\.reshape\(x\.shape\[1\]", "kernel cell by kernel cell"),
    ],
    "col2im": [
        (r"\+= columns\[", "the copies, added"),
        (r"\+= cells\[:, a, b\]", "the copies, added kernel cell by kernel cell"),
        (r"columns\.reshape\((C|x_shape\[1\]), \*", "the columns with their axes"),
        (r"\(columns \* \w+\(one, kernel_size", "the transpose, column by column"),
    ],
    "clip_by_global_norm": [
        (r"max_norm / norm\b", "the factor"),
        (r"\+= gradient\[index\] \*\* 2", "one sum of squares for all arrays"),
        (r"np\.linalg\.norm\(\[np\.linalg\.norm\(", "the norm of all norms"),
        (r"np\.concatenate\(\[\w+\.ravel\(\)", "all arrays as one vector"),
    ],
    "batch_norm2d_gradient": [
        (r"\bgamma(\[[^\]]+\])? \* dz\b", "through the scale"),
        (r"- y \* \w+ / count\b", "the path through the variance"),
        (r"\(variance \+ eps\) \*\* -1\.5", "the slope of the deviation"),
        (r"np\.outer\(y, y\)", "every slope by every x, in a matrix"),
    ],
    "shared_trunk_gradient": [
        (r"w_class\.T @ dz_class \+ ", "the class head's part, and that another is added"),
        (r"\+ w_box\.T @ dz_box", "the box head's part, and that it is added"),
        (r"vstack\(\[w_class, w_box\]\)\.T @", "both heads as one, in one product"),
        (rf"\+= dz_(class|box){PAIR} \* w_(class|box){PAIR}", "either, product by product"),
    ],
    "intersection_over_union": [
        (r"np\.maximum\(a\[:2\], b\[:2\]\)", "where the shared part begins"),
        (r"\bmin\((\w+\[2, n\]), (\w+\[2, n\])\) - max\(", "the height of the shared part"),
        (r"\bmin\((\w+\[3, n\]), (\w+\[3, n\])\) - max\(", "its width"),
        (r"\w+ \+ \w+ - shared\b", "the union"),
    ],
    "tape_backward": [
        (r"\bin node\.parents:\n +visit\(parent\)", "the order: parents first"),
        (r"\bin reversed\(nodes\)", "backward through it"),
        (r"uses\[parent\] -= 1", "the order, by counting uses"),
        (r"\bsend\(parent, share\)", "every way, one after the other"),
        (r"zip\(node\.parents, (node\.send_back|shares)", "a share for each parent"),
        (r"\.gradient \+ share\b|before \+ share\b", "the sum, in a new array"),
        (r"\bnode\.gradient = None", "begun anew"),
        (r"np\.ones_like\((last\.)?value\)", "where it begins"),
        (r"\blast\.backward\(\)", "the whole pass, by the package"),
    ],
}

FINISHED = {
    "graph_backward": ("Graph.backward",),
    "numeric_gradient": ("numeric_gradient",),
    "linear_gradients": ("linear_backward",),
    "flatten_gradient": ("flatten_backward",),
    "relu_gradient": ("relu_backward",),
    "sigmoid_gradient": ("sigmoid_backward",),
    "tanh_gradient": ("tanh_backward",),
    "softmax_cross_entropy_gradient": ("softmax_cross_entropy",),
    "conv2d_output": ("conv2d", "conv2d_loops"),
    "conv2d_weight_gradient": ("conv2d_backward", "conv2d_backward_loops"),
    "conv2d_bias_gradient": ("conv2d_backward", "conv2d_backward_loops"),
    "conv2d_input_gradient": ("conv2d_backward", "conv2d_backward_loops"),
    "max_pool2d_output": ("max_pool2d", "max_pool2d_loops"),
    "max_pool2d_gradient": ("max_pool2d_backward", "max_pool2d_backward_loops"),
    "avg_pool2d_gradient": ("avg_pool2d_backward", "avg_pool2d_backward_loops"),
    "im2col": ("im2col", "convolution._im2col"),
    "col2im": ("col2im", "convolution._col2im"),
    "clip_by_global_norm": ("clip_gradients",),
    "batch_norm2d_gradient": ("batch_norm2d_backward", "group_norm_backward"),
    "intersection_over_union": ("intersection_over_union",),
}
