/** The place for the status and the headers of a reply: a reply of Fastify, or an event that has them as fields. */
export interface ReplySink {
  header(name: string, value: string | string[]): unknown
  headers(values: Record<string, string | string[]>): unknown
  code(status: number): unknown
  /** Returns the value of a header that is set, by its lower-case name. */
  getHeader(name: string): string | number | readonly string[] | undefined
}
