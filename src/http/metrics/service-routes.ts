/** The number of GET routes of the service that are not routes of aggregates: health, metrics, document and explorer. */
export const otherRoutes = 10
