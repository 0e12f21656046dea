const signals = ['SIGINT', 'SIGQUIT', 'SIGTERM'] as const

/**
 * Ends the process on a signal, until the returned function is called. Call it while the service starts.
 *
 * Linux ignores a signal of process 1, as in a container, if the process has no listener. In every other process the
 * signal ends the process, also while code blocks its event loop, so no listener is added there.
 */
export function endOnEarlySignals(pid = process.pid): () => void {
  if (pid !== 1) return () => {}
  const end = () => process.exit(0)
  for (const signal of signals) process.on(signal, end)
  return () => {
    for (const signal of signals) process.off(signal, end)
  }
}
