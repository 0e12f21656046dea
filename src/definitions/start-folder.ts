/**
 * The working directory at the start of the command. Relative paths of the command line are resolved against it,
 * because definitions can change the working directory when they are loaded. If the directory was removed before the
 * start, the value is empty, and paths are resolved against the current working directory.
 */
export const startFolder = workingDirectory()

function workingDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return ''
  }
}
