import { describeFormulations } from "./formulation-checks.ts";

describeFormulations("cpu");
