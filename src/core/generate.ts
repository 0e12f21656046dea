/**
 * Runs generated code and returns its result, which is a function.
 *
 * @param code the body of a function, which may use the names of `values`. It must contain texts of an author only as
 *   JSON.
 * @param values the values that the code uses, by name
 * @returns `undefined` if the process forbids generated code (`node --disallow-code-generation-from-strings`)
 */
export function generate<F>(code: string, values: Readonly<Record<string, unknown>>): F | undefined {
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- the code has only the author's own texts, as JSON
    return new Function(...Object.keys(values), code)(...Object.values(values)) as F
  } catch (error) {
    if (error instanceof EvalError) return undefined
    throw error
  }
}
