/**
 * The number of GET routes of the service that are not routes of aggregates: health, metrics, explanations, document
 * and explorer.
 */
export const otherRoutes = 12

/** The number of routes of bulk runs, each with one method. A route for GET has one for HEAD, too. */
export const bulkRoutes = 11
