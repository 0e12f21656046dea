/**
 * Runs generated code and returns its result, which is a function.
 *
 * @param code the body of a function, which may use the names of `values`. Texts of an author must be written into it
 *   with `JSON.stringify`.
 * @param values the values that the code uses, by name
 * @returns `undefined` if the process forbids generated code (`node --disallow-code-generation-from-strings`)
 */
export function generate<F>(code: string, values: Readonly<Record<string, unknown>>): F | undefined {
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- texts of an author are in the code as JSON
    return new Function(...Object.keys(values), code)(...Object.values(values)) as F
  } catch (error) {
    if (error instanceof EvalError) return undefined
    throw error
  }
}

/**
 * Returns a function whose code is generated at its first call, because a lazy schema may refer to a constant that is
 * declared later.
 *
 * @param compile returns the function. If it returns `undefined`, the result always returns `undefined`.
 */
export function compiledAtFirstCall<I, O>(
  compile: () => ((input: I) => O | undefined) | undefined,
): (input: I) => O | undefined {
  let compiled = (input: I): O | undefined => {
    compiled = compile() ?? nothing
    return compiled(input)
  }
  return input => compiled(input)
}

function nothing(): undefined {
  return undefined
}
