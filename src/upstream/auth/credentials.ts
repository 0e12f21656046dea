/** What every call carries to say who asks; `headers` is another list when they have changed. */
export interface Credentials {
  /** Names in lower case and values, one after the other. */
  readonly headers: readonly string[]
  /** `key=value`, encoded; empty for none. */
  readonly query: string
}
