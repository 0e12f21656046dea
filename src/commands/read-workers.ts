import { UsageError } from './usage-error.ts'

/** As many can be asked for; `HEADWATERS_WORKERS` takes as many. */
const most = 1024

/** Reads the value of `--workers`; throws a `UsageError` for one that cannot be used. */
export function readWorkers(text: string): number | 'auto' {
  if (text === 'auto') return text
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= most) return count
  throw new UsageError(`--workers takes a whole number from 1 to ${most}, or auto, and not '${text}'`)
}
