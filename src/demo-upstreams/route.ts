/** A request, as a route of a demo upstream gets it. */
export interface DemoRequest {
  /** Number of earlier requests, from which all random choices are made. */
  number: number
  /** The demo upstream's own origin, for links to itself. */
  origin: string
  /** The path as it was sent. */
  path: string
  /** The decoded values of the path's `:names`. */
  params: Readonly<Record<string, string>>
  query: URLSearchParams
}

/** The answer of a route. */
export interface DemoAnswer {
  /** @default 200 */
  status?: number
  headers?: Readonly<Record<string, string>>
  /** Is written as JSON. */
  body?: unknown
  /** Is written as it is, in place of a body. */
  text?: string
}

/** One path of a demo upstream, such as `/v1/breeds/:id`, and its answer. */
export interface DemoRoute {
  path: string
  answer: (request: DemoRequest) => DemoAnswer
}
