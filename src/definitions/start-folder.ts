/**
 * The working directory in which the command was started, where relative paths of the command line start: definitions
 * may change the working directory when they are loaded. Empty, which is the working directory of the moment, if the
 * directory was removed before the start.
 */
export const startFolder = workingDirectory()

function workingDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return ''
  }
}
