import { runClasses } from '../../kept/run-store.ts'
import type { KeptRun, RunList, RunRow } from '../../waterfall/kept-run.ts'
import { isList, isObject, isTextOrNull, isWhole, parsed } from './message-values.ts'
import { readRow } from './read-row.ts'

/**
 * Reads the answer of a worker to the question `run`.
 *
 * @returns The run; null if the worker does not keep it; undefined for another text, and without an answer.
 */
export function readRun(answer: string | undefined): KeptRun | null | undefined {
  const value = parsed(answer)
  if (value === null) return null
  return isRow(value) && isList((value as Partial<KeptRun>).steps, isObject) ? (value as KeptRun) : undefined
}

/** Reads the answer of a worker to the question `runs`. Returns undefined for another text, and without an answer. */
export function readRunList(answer: string | undefined): RunList | undefined {
  const value = parsed(answer)
  if (!isObject(value)) return undefined
  const { runs, next, kept, oldest } = value
  const isRunList =
    isList(runs, isRow) &&
    isTextOrNull(next) &&
    isObject(kept) &&
    isObject(oldest) &&
    runClasses.every(name => isWhole(kept[name]) && isTextOrNull(oldest[name]))
  return isRunList ? (value as unknown as RunList) : undefined
}

function isRow(value: unknown): value is RunRow {
  return readRow(value) !== undefined
}
