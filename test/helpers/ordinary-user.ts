import type { Test } from 'tap'

/** The user `nobody` of Linux. */
const nobody = 65_534

/**
 * Runs a function with the rights of an ordinary user: the mode of a file does not bind the superuser. Files that the
 * function reads must be readable by all.
 */
export function asOrdinaryUser<T>(run: () => T): T {
  if (process.geteuid?.() !== 0) return run()
  process.seteuid?.(nobody)
  try {
    return run()
  } finally {
    process.seteuid?.(0)
  }
}

/** Gives this process the rights of an ordinary user until the test ends, or the returned function is called. */
export function becomeOrdinaryUser(t: Test): () => void {
  if (process.geteuid?.() !== 0) return () => {}
  process.seteuid?.(nobody)
  const restore = () => {
    process.seteuid?.(0)
  }
  t.teardown(restore)
  return restore
}
