/** Numbers of a profile, each with where it comes from. */
import { z } from 'zod';

export const source = z.string().min(1);
export const Max = z.strictObject({ max: z.number(), source });
export const Min = z.strictObject({ min: z.number(), source });
export const Version = z.strictObject({ version: z.string().regex(/^[0-9][0-9A-Za-z.+~-]*$/), source });
export const sourced = <T extends z.ZodType>(value: T) => z.strictObject({ value, source });
