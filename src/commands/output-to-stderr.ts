/**
 * Loads modules and redirects their output from stdout to stderr, because stdout is for the result of the command.
 *
 * @param load - Loads the modules.
 * @returns What `load` returns.
 */
export async function outputToStderr<T>(load: () => Promise<T>): Promise<T> {
  const { stdout, stderr } = process
  const write = stdout.write.bind(stdout)
  stdout.write = stderr.write.bind(stderr)
  try {
    return await load()
  } finally {
    stdout.write = write
  }
}
