/** The path of batches, below the prefix of the app. */
export const batchUrl = '/v1/batch'

/**
 * The name of the batches in events, spans and the log, where an aggregate has its own name. No aggregate may have it
 * in an app with batches.
 */
export const batchName = 'batch'

/** A method of the path of batches, as the metrics and the guard of the service see it. */
export interface BatchRoute {
  /** Empty, because the route is not that of an aggregate. */
  readonly name: ''
  readonly route: { readonly method: 'POST' | 'QUERY'; readonly url: typeof batchUrl; readonly criticality: 'low' }
}

function routeOf(method: BatchRoute['route']['method']): BatchRoute {
  return Object.freeze({ name: '', route: Object.freeze({ method, url: batchUrl, criticality: 'low' }) })
}

/** The routes of batches. Under load they are refused before single requests. */
export const batchRoutes = { POST: routeOf('POST'), QUERY: routeOf('QUERY') } as const
