/**
 * The number of GET routes of the service that are not routes of aggregates: health, metrics, explanations, document
 * and explorer.
 */
export const otherRoutes = 12
