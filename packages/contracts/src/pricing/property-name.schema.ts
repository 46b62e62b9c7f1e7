import { z } from 'zod'

/** The name of a property of events. */
export const PropertyName = z
  .string()
  .min(1)
  .max(100)
  .meta({ examples: ['region'] })
