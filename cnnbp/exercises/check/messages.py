"""Every sentence that a learner can be told, in one table.

The general ones are written here. What belongs to one exercise, its statement, hints and mistakes,
stands in its file; cnnbp.exercises adds it to the table for every task of the course. To translate
a course, replace entries: MESSAGES.update(your_translation).
"""

MESSAGES = {
    # What the verdict's first line says of each step
    "stage.not a function": "nothing to check",
    "stage.the package's function": "this is the package's function",
    "stage.not written yet": "not written yet",
    "stage.raised": "your function raised an error",
    "stage.changed its inputs": "your function changed its inputs",
    "stage.returned the wrong type": "your function returned the wrong type",
    "stage.left a gradient out": "a gradient is missing",
    "stage.wrong shape": "wrong shape",
    "stage.tiny worked case": "wrong in the tiny worked case",
    "stage.random cases": "right in the tiny case, wrong in a random one",
    "stage.numeric gradient": "wrong against the numeric gradient",
    "stage.passed": "right",
    # Before anything is compared
    "not a function": "check takes a function but was given {given}. Hand in the function's name, "
    "without brackets behind it: task.check(my_function).",
    "another's name": "Judged as {judged}, because your function has its name; task is {task} now. "
    "For hints and cases of {judged}, run: from cnnbp.exercises import {judged} as task",
    "a class": "{name} is a class. Hand in a function, or an object that can be called like one: "
    "def at the beginning of the line, not class.",
    "a method": "{name} is a method without its object, so that its self is missing. Make an "
    "object first, and hand in the object's method.",
    "the package's function": "{function} is the package's function. Write your own {task}; it "
    "may call the package.",
    "not written yet": "Your function {how}. Write its body and return {returns}; task.hint() "
    "gives a first step.",
    "not written yet.fills": "Your function has not filled in any gradient. Write its body; "
    "task.hint() gives a first step. If it is written: what is filled must be called .gradient, "
    "and the last node's comes first.",
    "not written yet.raises": "raises NotImplementedError",
    "not written yet.returns": "returned {returned}; if you have written it, a return is missing",
    "signature": "Your function takes {yours} but is called with {expected}. Give it these "
    "arguments, in this order.",
    "raised": "{error}",
    "line": "Look at your line {number}: {source}",
    "line.returned": "Your line {number}, {source}, ends the loop in its first round: move it "
    "behind the loop, as far to the left as the for.",
    "raised.line": "It happened in your line {number}: {source}",
    "raised.elsewhere": "In another case, with {given}, it raised {error}.",
    "error.ambiguous": "An if asks one question, but an array has as many answers as cells: ask "
    "them with a mask, x > 0, or loop over the indices.",
    "error.none": "Something is None where a value is wanted: it has not been set yet, or comes "
    "from a function without a return.",
    "error.none called": "Something is called like a function, and is None: ask first whether it "
    "is there.",
    "error.one number": "A function of single numbers was given an array: those of math, float() "
    "and int() take one number, numpy's own, as np.exp, take arrays.",
    "error.operator": "This operator does not work on these: ^ is no power in Python, write **; "
    "& and | join masks, and need brackets around them.",
    "error.key": "There is nothing under this name in the dict: make it with a number for every "
    "name first.",
    "error.a number wanted": "Somewhere a single int is wanted and an array, a pair or a float was "
    "given: np.zeros takes a shape, as x.shape; range and an index take one int.",
    "error.ints": "An array of ints cannot hold fractions: make it with dtype=float.",
    "error.broadcast": "Two arrays meet whose shapes do not fit: print both. A * where a "
    "matrix product @ is meant, an empty slice such as [0:-0], a window that reaches over the edge "
    "or an axis in another place make them differ.",
    "error.product": "A matrix product needs as many columns on the left as rows on the right: "
    "which of the two has to be transposed?",
    "error.ragged": "Arrays of different shapes do not make one array: keep them in a list.",
    "error.joined": "Arrays of different shapes cannot be joined as they are: flatten each with "
    ".ravel(), or go through them one by one.",
    "error.reshape": "A reshape must keep the count of numbers: print both shapes.",
    "error.bounds": "An index is beyond the last cell: print it beside the shape. Which axis is it "
    "for, and what does it do at the edge?",
    "error.indices": "There are more indices than axes: print the shape of what is indexed.",
    "error.zero": "Something is divided by 0: think of the case in which everything is 0.",
    "error.pair": "A pair is used like one number: stride, padding and kernel_size are "
    "(rows, columns), so take [0] or [1].",
    "error.attribute": "Something is of another type than you think: print its type.",
    "error.name": "A name is used before it has a value: look for a slip of the pen, or for an "
    "assignment that this way through the function leaves out.",
    "error.read-only": "Something is written to an array that only shows another one: make a copy "
    "first.",
    "error.in place": "An array cannot grow by +=: make it in its full shape first.",
    "error.empty": "A slice is empty, so that it has no maximum: think of windows at the edge.",
    "error.recursion": "The function calls itself without end.",
    "error.einsum": "The letters of einsum do not fit the shapes: one letter for each axis, the "
    "same letter where lengths are equal.",
    "error.axis": "There is no such axis: print the shape.",
    "changed": "It changed {names}, which {count:belongs|belong} to whoever called it: the next "
    "computation would go on with other numbers. Work on a copy, {copy}, or avoid +=, *= and "
    "[...] = on it.",
    "changed.rounding": "It changed {names}, though only by rounding: adding a step, subtracting "
    "two and adding one again does not give back the same number. Keep the old value and put it "
    "back, or work on a copy, {copy}.",
    "changed.network": "It changed {names}: its parameters are others than before, so whatever is "
    "checked after them is checked on another network, and nobody can train it. After each "
    "difference, put the array back: array[...] = kept.",
    "printed": "It printed:",
    # Another order
    "order.two arguments": "Right, but {moved} come in the other order: your function takes "
    "({yours}), and must take ({expected}).",
    "order.arguments": "Right, but its arguments come in another order: your function takes "
    "({yours}), and must take ({expected}).",
    "order.exchanged": "Right, if {moved} changed places: look where your function uses the one "
    "and where it uses the other.",
    "order.names": "Your parameter {name} gets {given}: arguments come in the order ({expected}).",
    "order.results": "Right, but return {expected} in this order; yours are {yours}.",
    "order.list": "Right, but your list is in another order: return one array for each given one, "
    "in the same order.",
    # Types
    "type.count": "It returned {yours}, but {count} {count:value is|values are} wanted: "
    "{expected}.",
    "type.single": "It returned {yours}, but only {expected} is wanted.",
    "type.list": "{name} is {yours}, but an array is wanted. Make it one: np.array(...).",
    "type.generator": "It holds a yield, so that it returns a generator. Write return instead.",
    "type.coroutine": "It is an async def, so that a call only promises an answer. Write def "
    "instead.",
    "type.masked": "{name} is a masked array, and {count} {count:cell|cells} of it {count:is|are} "
    "masked. Give every cell a number: {name}.filled(0), if 0 is right.",
    "type.other": "{name} is {yours}, but an array of real numbers is wanted.",
    "type.list of arrays": "It returned {yours}, but a list of {count} {count:array|arrays} is "
    "wanted, one for each of {argument}.",
    "type.terms": "It returned {yours}, but a set of (left index, right index) pairs is wanted, "
    "each index a tuple of ints: {{((0, 0, 1, 0), (0, 0, 0, 1)), ...}}.",
    "type.cells": "It returned {yours}, but a set of indices is wanted, each a tuple of ints: "
    "{{(0, 1, 0, 2), ...}}.",
    "type.place": "It returned {yours}, but a pair is wanted, a layer's number and one of its "
    'gradients: (4, "dw").',
    "type.place.order": "The pair is turned round: return layer, wanted in this order; yours are "
    "wanted, layer.",
    "type.named": "It returned {yours}, but a dict is wanted, with a number for each name in "
    "{argument}.",
    "type.named.missing": 'Your dict has no gradients["{name}"]; it needs a number for each name '
    "in {argument}.",
    "type.filled": "Your function returned {yours}; fill .gradient of every node of {argument} and "
    "return nothing.",
    "type.unfilled": "The {name}, is still None; every node that the last one was made of has one: "
    "begin at the last, and go backward through all of them.",
    "type.named.other": 'Your dict has "{name}", which is no name in {argument}.',
    # Shapes
    "shape": "{name} has shape {yours}, but must be {expected}.",
    "shape.joined": "It is {count} times as long along one axis: arrays were joined or repeated.",
    "shape.scalar": "That is a single number: something was summed or multiplied over every axis.",
    "shape.empty": "It is empty: a slice such as [p:-p] holds nothing where p is 0, since −0 is 0.",
    "shape.reordered": "Its axes are in another order: transpose before you return, or loop over "
    "the axes in the order {symbols}.",
    "shape.ones": "Only axes of length 1 differ: keepdims=True in a sum or a reshape keeps them.",
    "shape.more": "It has {count} {count:axis|axes} too many: its numbers fit without the axes of "
    "length 1, which a reshape or an index takes away.",
    "shape.not summed": "It has {count} {count:axis|axes} too many: sum over {axes} of yours, "
    "counted from 0.",
    "shape.too many": "It has {count} {count:axis|axes} too many: is a sum over one missing?",
    "shape.windows": "Its rows and columns are off by ({rows}, {columns}): there are (H + "
    "2·padding − KH) // stride + 1 rows of windows, and columns alike.",
    "shape.summed": "The {count:axis|axes} {missing} {count:is|are} gone: summed over, or never "
    "looped over.",
    "shape.argument": "That is the shape of {argument}: is a sum missing, or is it the wrong "
    "array?",
    "shape.reshaped": "It holds as many numbers as it should: a reshape is missing, after the "
    "axes stand in the right order.",
    "shape.padding": "Its rows and columns are too many by 2·padding: crop the padding.",
    "shape.image": "Its rows and columns are off by ({rows}, {columns}): think of which cells of "
    "x a window at the border meets.",
    # Values
    "worst": "Worst cell: {cell} is {yours}, expected {expected}.",
    "expected is": "What it is made of: {arithmetic}",
    "place": "You say {named} of layer {other}; it is {wanted} of layer {number}.",
    "place.none": "You found nothing; it is {wanted} of layer {number}.",
    "not finite": "Your {name} holds NaN or infinity, {cell} for one: a division by zero, or an "
    "array made by np.empty and not filled.",
    "case": "The case: {given}.",
    "case.try": "Try it alone: {call}",
    "reread": "Reread lesson {section}.",
    "convention": "A valid convention, but not the one of this course. {explanation}",
    # Several mistakes at once
    "explained.two": "Two things at once: {things}.",
    "explained.three": "Three things at once: {things}.",
    "explained.several": "Several things at once: {things}.",
    "explained.and": ", and ",
    "explained.or": ", or ",
    "explained.either": "either {ways}",
    "explained.only where": "only {condition}, {said}",
    "where.stride is 1": "where the stride is 1",
    "where.stride is not 1": "where the stride is not 1",
    "where.padding is 0": "where the padding is 0",
    "where.padding is not 0": "where there is padding",
    "factor.times": "{yours} {are} multiplied by {factor}",
    "factor.divided": "{yours} {are} divided by {factor}",
    # Families of wrong values
    "family.zeros": "Your {name} is all zeros: is something computed and then not added to it?",
    "family.sign": "Your {name} is right except for its sign.",
    "family.factor": "Your {name} is the right one times {quantity}: somewhere {quantity} is "
    "multiplied in, or a division by it is missing.",
    "family.divided": "Your {name} is the right one divided by {quantity}: a mean in place of a "
    "sum, or a division made twice.",
    "family.constant": "Your {name} is the right one times {factor}.",
    "family.transposed": "Your {name} is right but for the order of its axes: yours holds what "
    "belongs at {order}.",
    "family.reversed": "Your {name} is right but reversed along {axes}.",
    "family.shifted": "Your {name} is right but shifted by ({rows}, {columns}) rows and columns.",
    "family.constant result": "Your function returns the same array in every case, whatever it is "
    "given: it keeps its first result, or does not use its arguments.",
    "family.border": "Your {name} is right except on its border: look at the first and the last "
    "row and column, where padding or the last window lies.",
    "family.only one": "Your {name} is what the {which} alone contributes: add up all of them.",
    "family.only one filled": "Your {name} is right for the {which} only and 0 elsewhere: a return "
    "inside the loop, or an index that stays the same.",
    "only.N": "{place} sample",
    "only.F": "{place} filter",
    "only.first": "first",
    "only.last": "last",
    "family.slice": "Your {name} is right only at index {indices} along {axis}.",
    "family.whole": "Your {name} is right but cut off to whole numbers: an array of ints, or //, "
    "lost the fractions. Give np.zeros a dtype=float.",
    "family.digits": "Your {name} is right to a few digits only: somewhere the numbers were "
    "float32 or were rounded. Compute in the dtype of the input.",
    "family.rearranged": "Your {name} holds the right numbers in wrong places: look at reshape, "
    "transpose and the indices.",
    "numeric": "It is right in every other case, but here central differences say otherwise: does "
    "it remember something from call to call, or treat special numbers?",
    # Terms
    "terms.count": "You listed {found} of the {count} {count:product|products} of {cell}.",
    "terms.missing": "{term} is missing: {window}.",
    "terms.dx": "the window at {window} also covers this cell",
    "terms.dw": "the window at {window} of sample {sample} also uses this weight",
    "terms.wrong": "{term} is not one of its products.",
    # Cells behind a pixel
    "cells.count": "You listed {found} of the {count} pooled {count:output|outputs} behind "
    "{pixel}.",
    "cells.missing": "{cell} is missing: its window holds {between}, which used {pixel}.",
    "cells.wrong": "{cell} is not one of them: no cell in its window used {pixel}.",
    # Passed
    "passed": "Right in the tiny worked case and in {count} random {count:case|cases}.",
    "passed.numeric": "Right in the tiny worked case, in {count} random {count:case|cases}, and "
    "against a numeric gradient.",
    # Statement, hints, progress
    "task.tiny": "A tiny case to work by hand:",
    "task.answer": "Its answer:",
    "task.try": "task.check(your_function) · task.hint() · task.solution()",
    "hint": "Hint {number} of {count} for {task}:",
    "hint.last": "That was the last one; task.solution() shows a solution.",
    "progress": "{solved} of {count} {count:exercise|exercises} solved",
    "progress.damaged": "The file {path} was damaged and is started anew; its old text is kept "
    "in {kept}.",
    "progress.unwritable": "The file {path} cannot be written, so this will be forgotten.",
    "sheet.name": "Name",
    "sheet.seed": "variant {seed}",
    "sheet.write": "Fill in {names}.",
}


class Count(int):
    """A number that chooses a word in a sentence: {count:cell is|cells are}."""

    def __format__(self, spec):
        one, bar, many = spec.partition("|")
        return (one if self == 1 else many) if bar else int.__format__(self, spec)


class Sentence(str):
    """What is said, which remembers its key in the table."""

    key = ""


def say(key, **values):
    """The Sentence of the table, with values in its places.

    >>> say("passed", count=1), say("passed", count=2)[-15:]
    ('Right in the tiny worked case and in 1 random case.', '2 random cases.')
    """
    counted = {k: Count(v) if type(v) is int else v for k, v in values.items()}
    said = Sentence(MESSAGES[key].format(**counted))
    said.key = key
    return said


def text_of(key, own):
    """What the table has under a key of an exercise; its own text, if the table has none.

    >>> text_of("my_task.hint 1", "Begin with zeros.")
    'Begin with zeros.'
    """
    return MESSAGES.get(key, own)
