/** An error for invalid arguments. The command prints the message and its usage, and exits with code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
