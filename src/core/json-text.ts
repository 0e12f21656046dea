import { readFileSync } from 'node:fs'

interface ReadOptions {
  /** Omits the fault of the parser from the error, because it can contain a part of the text. @default false */
  readonly isSecret?: boolean
}

/**
 * Reads JSON from a text, or from a file if the text is `@` and a path. Throws a `TypeError` that names the owner.
 */
export function readJsonText(owner: string, given: string, { isSecret = false }: ReadOptions = {}): unknown {
  const path = given.startsWith('@') ? given.slice(1) : undefined
  const source = path === undefined ? 'the text' : `the file '${path}'`
  const json =
    path === undefined ? given : attempt(() => readFileSync(path, 'utf8'), `${owner}: ${source} cannot be read`)
  const fault = `${owner}: ${source} cannot be read as JSON`
  if (!isSecret) return attempt((): unknown => JSON.parse(json), fault)
  try {
    return JSON.parse(json)
  } catch {
    throw new TypeError(fault)
  }
}

/** Returns the result of a function. If the function throws, throws a `TypeError` whose message begins with `fault`. */
function attempt<T>(make: () => T, fault: string): T {
  try {
    return make()
  } catch (error) {
    throw new TypeError(`${fault}: ${(error as Error).message}`, { cause: error })
  }
}
