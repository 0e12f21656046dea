/**
 * The part of the outcomes of the steps that callers see: all of it, the names and states of the steps, or nothing.
 * Logs, metrics and events always have everything.
 */
export type SourcesLevel = 'full' | 'states' | 'none'

const levels: ReadonlySet<unknown> = new Set(['full', 'states', 'none'] satisfies SourcesLevel[])

/**
 * Refuses a value that is not a level.
 *
 * @throws {TypeError} that names the owner and the levels
 */
export function checkSourcesLevel(owner: string, value: unknown): asserts value is SourcesLevel {
  if (!levels.has(value))
    throw new TypeError(`${owner}: sources must be 'full', 'states' or 'none', got '${String(value)}'`)
}
