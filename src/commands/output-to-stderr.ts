/**
 * Loads modules and redirects their output from stdout to stderr. Only the result of the command goes to stdout.
 *
 * @param load - Loads the modules.
 * @returns The result of `load`.
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
