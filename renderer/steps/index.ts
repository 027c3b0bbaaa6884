/** The wizard's steps in order, each with its view. What state they are in is main's to say (preload/contract/steps.ts). */
import type { ComponentType } from 'react';
import type { BoxState } from '../../preload/contract/calls.ts';
import type { StepId } from '../../preload/contract/steps.ts';
import { Connect } from './connect/Connect.tsx';
import { Flash } from './flash/Flash.tsx';
import { Keys } from './keys/Keys.tsx';
import { Preflight } from './preflight/Preflight.tsx';
import { Provision } from './provision/Provision.tsx';
import { Reconnect } from './reconnect/Reconnect.tsx';
import { Report } from './report/Report.tsx';
import { Validate } from './validate/Validate.tsx';

export interface StepProps {
  box: BoxState;
}

export const VIEWS: Record<StepId, ComponentType<StepProps>> = {
  flash: Flash,
  connect: Connect,
  preflight: Preflight,
  reconnect: Reconnect,
  keys: Keys,
  provision: Provision,
  validate: Validate,
  report: Report,
};
