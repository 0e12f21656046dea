import { stopChildren } from './child.ts'

/** Runs a bench and then ends its child processes. The exit code is 1 if the bench throws or returns violations. */
export async function bench(run: () => Promise<readonly string[]>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stopChildren()
      process.exit(130)
    })
  }
  try {
    const violations = await run()
    for (const violation of violations) process.stdout.write(`violated: ${violation}\n`)
    if (violations.length > 0) process.exitCode = 1
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    process.exitCode = 1
  } finally {
    stopChildren()
  }
}
